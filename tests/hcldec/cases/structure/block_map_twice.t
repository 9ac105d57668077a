diagnostics {
  error {
    # Duplicate b block
    from {
      line   = 3
      column = 1
      byte   = 14
    }
    to {
      line   = 3
      column = 10
      byte   = 23
    }
  }
}
