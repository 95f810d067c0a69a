"""What people are told in Slack, in the languages that there are."""
