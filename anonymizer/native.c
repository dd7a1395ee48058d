/* By this name native.py knows that the library was built for it. */

#include "native.h"

EXPORTED void interface_3(void) {}
