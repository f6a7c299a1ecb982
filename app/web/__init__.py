"""What every route leans on: problems, access by key, guarded requests to the outside, shared page assets."""
