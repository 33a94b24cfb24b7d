"""The plan: which operation, if any, brings CJ from what it holds to what the warehouse says, for every order a run picked."""
