"""CJ Restatements: what is deployed. The root that Astro puts on the import path gives the package its name."""

__version__ = "0.1.0"
"""The one place. CHANGELOG.md has a section for it, and the release its tag."""
