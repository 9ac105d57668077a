diagnostics {
  error {
    # Duplicate argument
    from {
      line   = 1
      column = 15
      byte   = 14
    }
    to {
      line   = 1
      column = 18
      byte   = 17
    }
  }
}
