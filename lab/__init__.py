"""Development only, outside what is deployed: the benchmark, rehearsals on many machines, nights of a real change log, the generated pages."""
