#pragma once

namespace dutybook {

// A program that was started with one of them closed would be given its first file, lock or
// connection in that place, would read its own socket as input and write messages into it. What is
// closed is filled, so that reading and writing it fails as before. First thing in main.
void fill_standard_streams();

}  // namespace dutybook
