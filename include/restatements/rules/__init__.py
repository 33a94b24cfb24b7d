"""What decides where money goes, told once as data: `plan` for what is done with an order, `verdicts` for what became of what was sent."""
