diagnostics {
  error {
    # Missing k for b
    from {
      line   = 1
      column = 3
      byte   = 2
    }
    to {
      line   = 1
      column = 4
      byte   = 3
    }
  }
  error {
    # Missing k for b
    from {
      line   = 4
      column = 3
      byte   = 16
    }
    to {
      line   = 4
      column = 4
      byte   = 17
    }
  }
}
