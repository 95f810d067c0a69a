"""What the training costs, measured against a yardstick in the same run."""
