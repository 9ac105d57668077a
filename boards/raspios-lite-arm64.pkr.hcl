# Raspberry Pi OS Lite, 64 bit (Raspberry Pi 3, 4, 5, Zero 2)
#
#     slipway build -var hostname=kitchen raspios-lite-arm64.pkr.hcl
#
# The first start makes the user, by Raspberry Pi OS's own way: userconf.txt
# on the boot partition.

variable "image_url" {
  type        = string
  default     = "https://downloads.raspberrypi.com/raspios_lite_arm64/images/raspios_lite_arm64-2025-05-13/2025-05-13-raspios-bookworm-arm64-lite.img.xz"
  description = "Raspberry Pi OS; others are at https://www.raspberrypi.com/software/operating-systems/"
}

variable "checksum_url" {
  type        = string
  default     = "https://downloads.raspberrypi.com/raspios_lite_arm64/images/raspios_lite_arm64-2025-05-13/2025-05-13-raspios-bookworm-arm64-lite.img.xz.sha256"
  description = "A file with its digest"
}

variable "hostname" {
  type        = string
  default     = "raspberrypi"
  description = "Name of the machine"
}

variable "user" {
  type        = string
  default     = "pi"
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
  default     = "raspios-lite-arm64.img"
  description = "The image that is made"
}

locals {
  own_keys = ["~/.ssh/id_ed25519.pub", "~/.ssh/id_rsa.pub"]
  ssh_key  = var.ssh_key != "" ? var.ssh_key : try(file(pathexpand(local.own_keys[0])), file(pathexpand(local.own_keys[1])), "")
}

source "arm" "raspios" {
  file_urls          = [var.image_url]
  file_checksum_url  = var.checksum_url
  file_checksum_type = "sha256"
  image_build_method = "resize"
  image_path         = var.output
  image_size         = var.image_size

  # Its partitions and where they are mounted are read from the image.
}

build {
  sources = ["source.arm.raspios"]

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

      # The user: at first boot "pi" gets this name. A hash of "*" is a password that nothing matches.
      hash=$PASSWORD_HASH
      echo "$NEW_USER:$${hash:-*}" >/boot/firmware/userconf.txt
      if [ -n "$SSH_KEY" ]; then
        mkdir -p /home/pi/.ssh
        echo "$SSH_KEY" >/home/pi/.ssh/authorized_keys
        chmod 700 /home/pi/.ssh
        chmod 600 /home/pi/.ssh/authorized_keys
        chown -R pi: /home/pi/.ssh
      fi

      # The SSH server is switched on by this file.
      touch /boot/firmware/ssh

      # Packages.
      if [ -n "$PACKAGES" ]; then
        apt-get update
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $PACKAGES
        apt-get clean
      fi
    EOT
    ]
  }
}
