"""One browser for the whole journey, a picture after every step, and names that people read."""

import os
import pathlib

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service


@pytest.fixture(scope="session")
def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/lib/chromium/chromium"
    options.add_argument("--headless=new")
    options.add_argument("--window-size=1280,800")
    if os.geteuid() == 0:
        # Chromium's sandbox cannot work for root.
        options.add_argument("--no-sandbox")
    driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    driver.implicitly_wait(10)
    # Less than the journey's own `timeout`: only then the robot can still say why.
    driver.set_page_load_timeout(30)
    yield driver
    driver.quit()


@pytest.fixture(autouse=True)
def name_of_the_step(request, record_xml_attribute):
    record_xml_attribute("name", request.function.__doc__ or request.function.__name__)


@pytest.fixture(autouse=True)
def picture_of_the_step(request, browser):
    """The newest picture in this folder is the journey's screenshot, of good runs too."""
    yield
    folder = pathlib.Path(os.environ["VIGIA_ARTIFACTS"])
    browser.save_screenshot(str(folder / f"{request.function.__name__}.png"))
