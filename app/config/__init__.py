"""What operators write: settings, queues, flows, and one reader of their YAML files."""
