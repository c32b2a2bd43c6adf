// Of the programs of the preset `fuzz`; test_fuzz has its own in doctest_main.cpp.

#include "support/source_dir.h"

#ifdef DUTYBOOK_LIBFUZZER
std::filesystem::path dutybook::tests::source_dir() {
    return DUTYBOOK_SOURCE_DIR;
}
#endif
