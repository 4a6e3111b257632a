#!/usr/bin/env python3
"""gen_image.py zygote.elf out.h - the zygote as a C array, and the addresses of its labels."""
import subprocess
import sys


def main(elf, out):
    data = open(elf, "rb").read()
    symbols = subprocess.run(["nm", elf], check=True, capture_output=True, text=True).stdout
    with open(out, "w") as f:
        f.write("/* Generated from the zygote's ELF file. */\n#pragma once\n\n")
        for line in sorted(symbols.splitlines()):
            address, _, name = line.split()
            if name.startswith("stub_"):
                f.write(f"#define ADDR_{name} 0x{int(address, 16):x}ull\n")
        f.write("\nstatic const unsigned char zygote_image[] = {\n")
        for i in range(0, len(data), 16):
            f.write("    " + ", ".join(str(b) for b in data[i:i + 16]) + ",\n")
        f.write("};\n")


main(*sys.argv[1:])
