# One static library a folder. USES names the layers below it; third-party libraries are PRIVATE,
# so that their headers cannot be included above.
function(dsnd_layer name)
    cmake_parse_arguments(L "" "" "SOURCES;USES;PRIVATE_LIBS" ${ARGN})
    add_library(dsnd_${name} STATIC ${L_SOURCES})
    target_include_directories(dsnd_${name} PUBLIC ${PROJECT_SOURCE_DIR})
    target_link_libraries(dsnd_${name} PUBLIC ${L_USES} PRIVATE dsnd_flags ${L_PRIVATE_LIBS})
endfunction()

# A cmocka program tests/unit/test_<name>.c; LIBS are the layers it links.
function(dsnd_unit_test name)
    cmake_parse_arguments(T "" "" "LIBS;SOURCES" ${ARGN})
    add_executable(test_${name} unit/test_${name}.c ${T_SOURCES})
    target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR})
    target_link_libraries(test_${name} PRIVATE dsnd_flags ${T_LIBS} PkgConfig::CMOCKA)
    add_test(NAME unit/${name} COMMAND test_${name})
    set_tests_properties(unit/${name} PROPERTIES LABELS unit TIMEOUT 60)
endfunction()

# A libFuzzer program tests/fuzz/fuzz_<name>.c, built by the fuzz preset only.
function(dsnd_fuzz_target name)
    cmake_parse_arguments(F "" "" "LIBS;SOURCES" ${ARGN})
    if(NOT DSND_FUZZ)
        return()
    endif()
    add_executable(fuzz_${name} fuzz/fuzz_${name}.c ${F_SOURCES})
    target_include_directories(fuzz_${name} PRIVATE ${PROJECT_SOURCE_DIR})
    target_link_libraries(fuzz_${name} PRIVATE dsnd_flags ${F_LIBS})
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
endfunction()
