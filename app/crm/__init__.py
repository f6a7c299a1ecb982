"""The systems that answers are pushed to, one small file each."""
