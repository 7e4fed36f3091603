"""The documentation as a site: pages in two languages, a reference made from the code, checked links."""
