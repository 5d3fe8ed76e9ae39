"""What people are told of a checked Graph: costs and tables."""
