# Radxa ROCK 4B (ROCK Pi 4B): Radxa's image of Debian
#
#     slipway build rock-4b.pkr.hcl
#
# For other boards put in the URL and digest of an image from
# https://github.com/radxa-build.

variable "image_url" {
  type        = string
  default     = "https://github.com/radxa/debos-radxa/releases/download/20221201-0835/rockpi-4b-debian-bullseye-xfce4-arm64-20221201-1203-gpt.img.xz"
  description = "Radxa's image"
}

variable "checksum" {
  type        = string
  default     = "14d5c5318e5a5bd407e718ba01a03a4e631895007fb6ddde1597310d23782894"
  description = "Its digest"
}

variable "hostname" {
  type        = string
  default     = "rock"
  description = "Name of the machine"
}

variable "user" {
  type        = string
  default     = "rock"
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
  default     = "8G"
  description = "Size of the image; the root file system takes the rest of it"
}

variable "output" {
  type        = string
  default     = "rock-4b.img"
  description = "The image that is made"
}

locals {
  own_keys = ["~/.ssh/id_ed25519.pub", "~/.ssh/id_rsa.pub"]
  ssh_key  = var.ssh_key != "" ? var.ssh_key : try(file(pathexpand(local.own_keys[0])), file(pathexpand(local.own_keys[1])), "")
}

source "arm" "rock" {
  file_urls          = [var.image_url]
  file_checksum      = var.checksum
  file_checksum_type = "sha256"
  image_build_method = "resize"
  image_path         = var.output
  image_size         = var.image_size

  # The boot loader lies in the first three partitions, which stay as they are.
  image_type = "gpt"
  image_partitions {
    start_sector = "64"
    size         = "4M"
  }
  image_partitions {
    start_sector = "16384"
    size         = "4M"
  }
  image_partitions {
    start_sector = "24576"
    size         = "4M"
  }
  image_partitions {
    name         = "boot"
    start_sector = "32768"
    size         = "512MiB"
    filesystem   = "vfat"
    mountpoint   = "/boot"
  }
  image_partitions {
    name         = "root"
    start_sector = "1081344"
    size         = "0" # what image_size leaves
    filesystem   = "ext4"
    mountpoint   = "/"
  }
}

build {
  sources = ["source.arm.rock"]

  provisioner "shell" {
    env = {
      NEW_HOSTNAME  = var.hostname
      NEW_USER      = var.user
      SSH_KEY       = trimspace(local.ssh_key)
      PASSWORD_HASH = var.password_hash
      PACKAGES      = join(" ", var.packages)
    }
    inline = [<<-EOT
      # The name, also where it is looked up without a network.
      echo "$NEW_HOSTNAME" >/etc/hostname
      sed -i '/^127\.0\.1\.1/d' /etc/hosts
      echo "127.0.1.1 $NEW_HOSTNAME" >>/etc/hosts

      # Packages.
      if [ -n "$PACKAGES" ]; then
        apt-get update
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $PACKAGES
        apt-get clean
      fi

      # The user, with sudo, since there may be no password to type.
      id "$NEW_USER" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash "$NEW_USER"
      echo "$NEW_USER ALL=(ALL) NOPASSWD: ALL" >"/etc/sudoers.d/010_$NEW_USER"
      chmod 440 "/etc/sudoers.d/010_$NEW_USER"
      [ -z "$PASSWORD_HASH" ] || echo "$NEW_USER:$PASSWORD_HASH" | chpasswd -e
      if [ -n "$SSH_KEY" ]; then
        home=$(awk -F: -v user="$NEW_USER" '$1 == user { print $6 }' /etc/passwd)
        mkdir -p "$home/.ssh"
        echo "$SSH_KEY" >"$home/.ssh/authorized_keys"
        chmod 700 "$home/.ssh"
        chmod 600 "$home/.ssh/authorized_keys"
        chown -R "$NEW_USER:" "$home/.ssh"
      fi
    EOT
    ]
  }
}
