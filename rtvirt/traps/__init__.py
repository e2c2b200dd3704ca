"""What a trap costs."""
