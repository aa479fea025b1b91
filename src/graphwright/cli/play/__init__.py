"""`graphwright play`: a page for the browser, or text in the terminal."""
