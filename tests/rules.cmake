# Tests of the return path and of classification.
foreach(name return_path rules)
    dsnd_unit_test(${name} LIBS dsnd_parse)
endforeach()
