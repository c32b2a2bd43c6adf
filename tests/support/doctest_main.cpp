#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include "support/source_dir.h"

std::filesystem::path dutybook::tests::source_dir() {
    return DUTYBOOK_SOURCE_DIR;
}
