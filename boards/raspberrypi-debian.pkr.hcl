# Debian on a Raspberry Pi 4 (raspi.debian.net)
#
#     slipway build raspberrypi-debian.pkr.hcl
#
# For a Raspberry Pi 1 to 3 change the 4 in the URL; others are at
# https://raspi.debian.net/tested-images/.

variable "image_url" {
  type        = string
  default     = "https://raspi.debian.net/tested/20231109_raspi_4_bookworm.img.xz"
  description = "Debian's own image"
}

variable "checksum_url" {
  type        = string
  default     = "https://raspi.debian.net/tested/20231109_raspi_4_bookworm.img.xz.sha256"
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
  default     = "raspberrypi-debian.img"
  description = "The image that is made"
}

locals {
  own_keys = ["~/.ssh/id_ed25519.pub", "~/.ssh/id_rsa.pub"]
  ssh_key  = var.ssh_key != "" ? var.ssh_key : try(file(pathexpand(local.own_keys[0])), file(pathexpand(local.own_keys[1])), "")
}

source "arm" "debian" {
  file_urls          = [var.image_url]
  file_checksum_url  = var.checksum_url
  file_checksum_type = "sha256"
  image_build_method = "resize"
  image_path         = var.output
  image_size         = var.image_size

  # Its partitions and where they are mounted are read from the image.
}

build {
  sources = ["source.arm.debian"]

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

      # The image sets its name anew at each start, from this file.
      [ ! -e /boot/firmware/sysconf.txt ] || echo "hostname=$NEW_HOSTNAME" >>/boot/firmware/sysconf.txt

      # Packages.
      if [ -n "$PACKAGES" ]; then
        apt-get update
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $PACKAGES
        apt-get clean
      fi

      command -v sudo >/dev/null || { apt-get update && apt-get install -y --no-install-recommends sudo; }
      mkdir -p /etc/sudoers.d
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
