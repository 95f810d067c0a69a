def test_the_page_opens(open_page):
    page = open_page("/")
    assert page.locator("h1").inner_text()
    page2 = open_page("/ops", locale="ko-KR")
    assert "운영" in page2.title()
