diagnostics {
  error {
    # Unknown variable
    from {
      line   = 1
      column = 10
      byte   = 9
    }
    to {
      line   = 1
      column = 12
      byte   = 11
    }
  }
}
