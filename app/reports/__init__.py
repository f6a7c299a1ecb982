"""What supervisors read: reports and exports. Read only."""
