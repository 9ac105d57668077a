diagnostics {
  error {
    # Invalid block definition
    from {
      line   = 1
      column = 6
      byte   = 5
    }
    to {
      line   = 2
      column = 1
      byte   = 6
    }
  }
}
