# Ubuntu Server on a Raspberry Pi, 64 bit
#
#     slipway build -var hostname=kitchen raspberrypi-ubuntu.pkr.hcl
#
# What the first start does is told to cloud-init, by a file on the boot
# partition: https://cloudinit.readthedocs.io/

variable "image_url" {
  type        = string
  default     = "https://cdimage.ubuntu.com/releases/24.04/release/ubuntu-24.04.4-preinstalled-server-arm64+raspi.img.xz"
  description = "Ubuntu; when a newer point release has taken its place, see https://cdimage.ubuntu.com/releases/"
}

variable "checksum_url" {
  type        = string
  default     = "https://cdimage.ubuntu.com/releases/24.04/release/SHA256SUMS"
  description = "A file with its digest"
}

variable "hostname" {
  type        = string
  default     = "ubuntu"
  description = "Name of the machine"
}

variable "user" {
  type        = string
  default     = "ubuntu"
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
  default     = "6G"
  description = "Size of the image; the root file system takes the rest of it"
}

variable "output" {
  type        = string
  default     = "raspberrypi-ubuntu.img"
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
      groups              = "adm,sudo,video,plugdev,netdev"
      shell               = "/bin/bash"
      sudo                = "ALL=(ALL) NOPASSWD:ALL"
      lock_passwd         = var.password_hash == ""
      passwd              = var.password_hash
      ssh_authorized_keys = local.keys
    }]
  }
}

source "arm" "ubuntu" {
  file_urls          = [var.image_url]
  file_checksum_url  = var.checksum_url
  file_checksum_type = "sha256"
  image_build_method = "resize"
  image_path         = var.output
  image_size         = var.image_size

  # Its partitions and where they are mounted are read from the image.
}

build {
  sources = ["source.arm.ubuntu"]

  provisioner "file" {
    content     = "#cloud-config\n${jsonencode(local.user_data)}\n"
    destination = "/boot/firmware/user-data"
  }

  # What the image is to have besides; it runs in the image, as root.
  provisioner "shell" {
    inline = [
      "echo made by slipway >/etc/motd",
    ]
  }
}
