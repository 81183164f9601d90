# All compiler and linker flags live on one interface target; nothing writes CMAKE_C_FLAGS.
add_library(dsnd_flags INTERFACE)
target_compile_features(dsnd_flags INTERFACE c_std_17)
target_compile_definitions(dsnd_flags INTERFACE _GNU_SOURCE DSND_VERSION="${PROJECT_VERSION}")
target_compile_options(dsnd_flags INTERFACE
    -Wall -Wextra -Wshadow -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith
    -Wcast-qual -Wwrite-strings -Wvla -Wconversion -Wno-sign-conversion -Wimplicit-fallthrough
    -Wundef -fno-common -fstack-protector-strong
    -include ${PROJECT_SOURCE_DIR}/base/banned.h)

if(DSND_SANITIZE)
    target_compile_options(dsnd_flags INTERFACE
        -fsanitize=${DSND_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(dsnd_flags INTERFACE -fsanitize=${DSND_SANITIZE})
endif()
if(DSND_FUZZ)
    # The libraries need coverage instrumentation too, or libFuzzer sees nothing new.
    # Assertions are properties that the fuzzer is to break.
    target_compile_options(dsnd_flags INTERFACE -fsanitize=fuzzer-no-link -UNDEBUG)
endif()
if(DSND_HARDEN)
    target_compile_options(dsnd_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fPIE
        -fstack-clash-protection -fcf-protection)
    target_link_options(dsnd_flags INTERFACE -pie -Wl,-z,relro,-z,now)
endif()
