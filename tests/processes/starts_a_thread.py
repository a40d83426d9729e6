"""A module whose import starts a thread."""

import threading
import time

threading.Thread(target=time.sleep, args=(60.0,), daemon=True).start()
