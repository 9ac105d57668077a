# Debian for any x86-64 machine with UEFI: servers, PCs, virtual machines
#
#     slipway build -var hostname=box uefi-amd64.pkr.hcl
#     slipway boot uefi-amd64.img
#
# What the first start does is told to cloud-init, by a seed in the image.

variable "image_url" {
  type        = string
  default     = "https://cloud.debian.org/images/cloud/bookworm/latest/debian-12-generic-amd64.raw"
  description = "Debian's image, which is renewed under the same name"
}

variable "checksum_url" {
  type        = string
  default     = "https://cloud.debian.org/images/cloud/bookworm/latest/SHA512SUMS"
  description = "A file with its digest"
}

variable "hostname" {
  type        = string
  default     = "debian"
  description = "Name of the machine"
}

variable "user" {
  type        = string
  default     = "debian"
  description = "Who logs in; made if the image has nobody of that name"
}

variable "ssh_key" {
  type        = string
  default     = ""
  description = "Public key of that user; left empty, yours is taken: ~/.ssh/id_ed25519.pub or id_rsa.pub"
}

variable "password_hash" {
  type        = string
  default     = ""
  description = "For the console, as `openssl passwd -6` prints it; left empty, there is none"
  sensitive   = true
}

variable "packages" {
  type        = list(string)
  default     = []
  description = "Packages to install"
}

variable "image_size" {
  type        = string
  default     = "4G"
  description = "Size of the image; the root file system takes the rest of it"
}

variable "output" {
  type        = string
  default     = "uefi-amd64.img"
  description = "The image that is made"
}

locals {
  own_keys = ["~/.ssh/id_ed25519.pub", "~/.ssh/id_rsa.pub"]
  ssh_key  = var.ssh_key != "" ? var.ssh_key : try(file(pathexpand(local.own_keys[0])), file(pathexpand(local.own_keys[1])), "")
}

locals {
  keys = compact([trimspace(local.ssh_key)])
  # As cloud-init reads it; JSON is YAML too.
  user_data = {
    hostname         = var.hostname
    manage_etc_hosts = true
    ssh_pwauth       = false
    packages         = var.packages
    users = [{
      name                = var.user
      groups              = "adm,sudo"
      shell               = "/bin/bash"
      sudo                = "ALL=(ALL) NOPASSWD:ALL"
      lock_passwd         = var.password_hash == ""
      passwd              = var.password_hash
      ssh_authorized_keys = local.keys
    }]
  }
}

source "arm" "debian" {
  file_urls          = [var.image_url]
  file_checksum_url  = var.checksum_url
  file_checksum_type = "sha512"
  image_build_method = "resize"
  image_path         = var.output
  image_size         = var.image_size

  # Its partitions and where they are mounted are read from the image.
}

build {
  sources = ["source.arm.debian"]

  provisioner "file" {
    content     = "#cloud-config\n${jsonencode(local.user_data)}\n"
    destination = "/var/lib/cloud/seed/nocloud/user-data"
  }
  provisioner "file" {
    content     = "instance-id: ${var.hostname}\nlocal-hostname: ${var.hostname}\n"
    destination = "/var/lib/cloud/seed/nocloud/meta-data"
  }

  # What the image is to have besides; it runs in the image, as root.
  provisioner "shell" {
    inline = [
      "echo made by slipway >/etc/motd",
    ]
  }
}
