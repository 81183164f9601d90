# What breaks around the service: disk and journal. Each skips aloud where something is missing.
foreach(name journal_eio journal_flip journal_full poison slow_database)
    add_test(NAME fault/${name}
        COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/fault/${name}.sh $<TARGET_FILE:dsnd>)
    set_tests_properties(fault/${name} PROPERTIES LABELS fault TIMEOUT 300 SKIP_RETURN_CODE 77)
endforeach()
