"""The demo: the main job with a carrier of our own, rehearsed customers, and a phone in the browser."""
