# Tests of base/.
foreach(name str)
    dsnd_unit_test(${name} LIBS dsnd_base)
endforeach()
