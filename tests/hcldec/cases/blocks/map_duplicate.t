diagnostics {
  error {
    from {
      line   = 3
      column = 1
      byte   = 24
    }
    to {
      line   = 3
      column = 9
      byte   = 32
    }
  }
}
