include(CMakePackageConfigHelpers)
install(TARGETS mpq EXPORT mpqTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS mpq_tool RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY include/mpq DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT mpqTargets NAMESPACE mpq:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/mpq)
configure_package_config_file(cmake/mpqConfig.cmake.in "${PROJECT_BINARY_DIR}/mpqConfig.cmake"
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/mpq)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/mpqConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/mpqConfig.cmake" "${PROJECT_BINARY_DIR}/mpqConfigVersion.cmake"
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/mpq)

# ONNX Runtime travels with the installation, so that bin/mpq runs where it was installed.
get_filename_component(ort_real "${ONNXRUNTIME_LIBRARY}" REALPATH)
install(FILES "${ort_real}" DESTINATION ${CMAKE_INSTALL_LIBDIR} RENAME libonnxruntime.so.1)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

# Manual pages and completions are printed by the tool that was built.
if(NOT CMAKE_CROSSCOMPILING)
  install(CODE "set(mpq \"$<TARGET_FILE:mpq_tool>\")
set(share \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}\")
set(man \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_MANDIR}\")
include(\"${PROJECT_SOURCE_DIR}/cmake/InstallPages.cmake\")")
endif()
