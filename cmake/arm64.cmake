# SPDX-License-Identifier: GPL-2.0-only
# cmake -DCMAKE_TOOLCHAIN_FILE=cmake/arm64.cmake -DEBPH_SYSROOT=DIR ...
# Cross build for 64-bit Arm; DIR holds Debian's arm64 packages: scripts/cross makes it.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
if(NOT CMAKE_C_COMPILER)
  set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
endif()
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES EBPH_SYSROOT)

set(EBPH_SYSROOT "" CACHE PATH "unpacked arm64 packages")
set(ENV{PKG_CONFIG_LIBDIR}
  "${EBPH_SYSROOT}/usr/lib/aarch64-linux-gnu/pkgconfig:${EBPH_SYSROOT}/usr/share/pkgconfig")
set(ENV{PKG_CONFIG_SYSROOT_DIR} "${EBPH_SYSROOT}")
set(CMAKE_EXE_LINKER_FLAGS_INIT
  "-Wl,-rpath-link,${EBPH_SYSROOT}/usr/lib/aarch64-linux-gnu -Wl,-rpath-link,${EBPH_SYSROOT}/lib/aarch64-linux-gnu")
set(CMAKE_FIND_ROOT_PATH "${EBPH_SYSROOT}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY BOTH)
