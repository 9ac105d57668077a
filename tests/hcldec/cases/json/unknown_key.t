diagnostics {
  error {
    # Extraneous JSON object property
    from {
      line   = 1
      column = 2
      byte   = 1
    }
    to {
      line   = 1
      column = 6
      byte   = 5
    }
  }
}
