# Tests of the receiver in ingest/.
add_executable(receive_main support/receive_main.c support/fake_journal.c)
target_include_directories(receive_main PRIVATE ${PROJECT_SOURCE_DIR})
target_link_libraries(receive_main PRIVATE dsnd_flags dsnd_ingest)
