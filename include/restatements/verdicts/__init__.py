"""What became of what was sent: every open order state judged beside what CJ holds."""
