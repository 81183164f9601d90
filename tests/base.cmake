# Tests of base/.
foreach(name buf config hex metrics str utf8)
    dsnd_unit_test(${name} LIBS dsnd_base)
endforeach()
dsnd_fuzz_target(config LIBS dsnd_base)
