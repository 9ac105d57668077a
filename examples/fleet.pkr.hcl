# Two images from one source, in HCL2: an arm64 Debian for a gateway and one for a sensor.
#
#     slipway build -var 'ssh_key=ssh-ed25519 AAAA...' examples/fleet.pkr.hcl
#     slipway build -only '*.sensor' examples/fleet.pkr.hcl

packer {
  required_version = ">= 1.7.0"
}

variable "suite" {
  type        = string
  default     = "bookworm"
  description = "Release of Debian"
}

variable "size" {
  type    = string
  default = "1GiB"

  validation {
    condition     = can(regex("^[0-9.]+[MG]i?B?$", var.size))
    error_message = "The size is written as in \"1GiB\"."
  }
}

variable "ssh_key" {
  type      = string
  default   = ""
  sensitive = true
}

locals {
  packages = concat(["systemd-sysv", "udev", "kmod"], local.common)
  common   = ["openssh-server"]
  roles    = { gateway = ["nftables"], sensor = ["i2c-tools"] }
}

source "arm" "debian" {
  bootstrap {
    suite        = var.suite
    architecture = "arm64"
    packages     = local.packages
  }
  image_build_method = "new"
  image_size         = var.size
  image_type         = "dos"

  image_partitions {
    name       = "root"
    type       = "83"
    size       = "0"
    filesystem = "ext4"
    mountpoint = "/"
  }
}

build {
  name = "fleet"

  source "arm.debian" {
    name       = "gateway"
    image_path = "gateway.img"
  }

  source "arm.debian" {
    name       = "sensor"
    image_path = "sensor.img"
  }

  provisioner "shell" {
    environment_vars = ["KEY=${var.ssh_key}", "DEBIAN_FRONTEND=noninteractive"]
    inline = [
      "echo ${source.name} >/etc/hostname",
      "apt-get update -q",
      "apt-get install -qy --no-install-recommends ${join(" ", local.roles[source.name])}",
      "apt-get clean",
      "install -d -m 700 /root/.ssh",
      "echo \"$KEY\" >/root/.ssh/authorized_keys",
    ]
    max_retries = 2
  }

  provisioner "shell" {
    only   = ["arm.gateway"]
    inline = ["systemctl enable nftables.service"]
  }

  post-processors {
    post-processor "compress" {
      output = "${source.name}.img.xz"
    }
    post-processor "checksum" {
      checksum_types = ["sha256"]
      output         = "${source.name}.img.xz.{{.ChecksumType}}"
    }
  }
}
