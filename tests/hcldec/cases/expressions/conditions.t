diagnostics {
  error {
    # Inconsistent conditional result types
    from {
      line   = 9
      column = 13
      byte   = 187
    }
    to {
      line   = 9
      column = 21
      byte   = 195
    }
  }
}
