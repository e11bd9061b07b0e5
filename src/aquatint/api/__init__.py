"""HTTP: routes, authentication, and errors as envelopes."""
