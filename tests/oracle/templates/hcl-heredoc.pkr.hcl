source "null" "one" {
  communicator = "none"
}

build {
  sources = ["source.null.one"]
  provisioner "shell-local" {
    inline = [<<EOT
echo one
echo two
EOT
    , <<-EOT
      echo indented
    EOT
    ]
  }
}
