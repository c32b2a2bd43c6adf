# What `cmake --install build [--prefix DIR]` puts into place beside the programs:
#
#   bin/                          the five programs; each finds the others beside itself
#   share/dutybook/schemas/       kinds and file formats; programs look in ../share/dutybook
#   share/dutybook/plugins/       the plugins that come with the program, and the examples
#   include/dutybook_plugin.h     the C ABI for native plugins (plugins/sdk has it too, to copy)
#   lib/systemd/system/           the unit, with the path of this prefix
include(GNUInstallDirs)

install(DIRECTORY schemas/ DESTINATION ${CMAKE_INSTALL_DATADIR}/dutybook/schemas
        FILES_MATCHING PATTERN "*.json")
install(DIRECTORY plugins/ DESTINATION ${CMAKE_INSTALL_DATADIR}/dutybook/plugins
        PATTERN worker EXCLUDE PATTERN CMakeLists.txt EXCLUDE)
install(FILES plugins/sdk/dutybook_plugin.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

# The prefix is known only when the install runs: --prefix may name another than the build's.
install(CODE "
  file(READ \"${CMAKE_SOURCE_DIR}/scripts/dutybookd.service\" unit)
  string(REPLACE \"/usr/bin/\" \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/\" unit \"\${unit}\")
  set(place \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/lib/systemd/system/dutybookd.service\")
  message(STATUS \"Installing: \${place}\")
  file(WRITE \"\${place}\" \"\${unit}\")
")
