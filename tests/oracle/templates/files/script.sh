#!/bin/sh
echo "a script"
