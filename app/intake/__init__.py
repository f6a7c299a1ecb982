"""An interaction ended: what arrives, what is decided about it, and what each queue does differently."""
