#!/usr/bin/env bash
# Takes out of an environment what nothing in a container uses: tests and sources of packages, symbols for debuggers, and
# the parts of pyarrow and wandb for Flight, S3 and reading old runs.
set -euo pipefail
cd "$1"/lib/python3*/site-packages

find . -type d \( -name tests -o -name test \) -prune -exec rm -rf {} +
find . -type f \( -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.pxi' -o -name '*.c' -o -name '*.cc' \
    -o -name '*.cpp' -o -name '*.h' -o -name '*.hpp' -o -name '*.a' -o -name '*_tests.*.so' \) -delete
rm -rf pyarrow/{include,_flight*,_s3fs*,libarrow_flight*,libarrow_python_flight*,libarrow_s3*} wandb/bin/librust_parquet_ffi.so
# A wheel holds no links: of a library's three names only the middle one, as in libarrow.so.2600, is looked for.
find . -path './pyarrow/libarrow*' \( -name '*.so' -o -name '*.so.*.*.*' \) -delete

# What looks for libraries in a folder `*.libs` was changed by patchelf, as those libraries were, and `strip` breaks it.
find . -type f \( -name '*.so' -o -name '*.so.*' \) -not -path './*.libs/*' | while read -r library; do
    readelf --dynamic "$library" | grep -q '\.libs' || strip --strip-unneeded "$library"
done
