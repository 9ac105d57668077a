build {
  sources = ["source.null.nowhere"]
}
