#!/bin/sh
echo "another"
